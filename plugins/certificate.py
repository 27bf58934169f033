"""Tell when a certificate is about to expire: CERTIFICATE_HOST=example.com in the environment says whose."""

import os
import socket
import ssl
from datetime import datetime, timedelta, timezone

HOST, _, PORT = os.environ.get("CERTIFICATE_HOST", "").partition(":")
ENOUGH = timedelta(days=14)
TIMEOUT = 10  # seconds


@deco(days=1, at="09:00", at_start=True)
def certificate(ctx):
    """Say how many days are left, or why it is not trusted; nothing where no host is named."""
    if not HOST:
        return None
    try:
        expires = expiry(HOST, int(PORT or 443))
    except ssl.SSLCertVerificationError as error:
        return f"The certificate of {HOST} is not valid: {error.verify_message}"
    left = expires - ctx.now
    return f"The certificate of {HOST} expires on {expires:%Y-%m-%d}, days left: {left.days}" if left < ENOUGH else None


def expiry(host, port):
    """Fetch the certificate and give the moment it expires."""
    with (
        socket.create_connection((host, port), TIMEOUT) as connection,
        ssl.create_default_context().wrap_socket(connection, server_hostname=host) as secured,
    ):
        seconds = ssl.cert_time_to_seconds(secured.getpeercert()["notAfter"])
    return datetime.fromtimestamp(seconds, timezone.utc)
