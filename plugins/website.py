"""Tell when a website does not answer: WEBSITE_URL=https://example.com in the environment says which."""

import os
import urllib.error
import urllib.request

URL = os.environ.get("WEBSITE_URL", "")
TIMEOUT = 10  # seconds


@deco(minutes=1)
def website():
    """Say what came instead of an answer; nothing where no website is named."""
    if not URL:
        return None
    try:
        with urllib.request.urlopen(URL, timeout=TIMEOUT):  # noqa: S310 - it is our own address
            return None
    except urllib.error.HTTPError as error:
        with error:
            return f"{URL} answers {error.code} {error.reason}"
    except OSError as error:
        return f"{URL} does not answer: {error}"
