"""The web server, on the main loop: hooks of other systems, and what people look at."""
