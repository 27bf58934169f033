"""Plugin files on disk: finding, reading and watching them."""
