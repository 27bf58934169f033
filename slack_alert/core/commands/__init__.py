"""Commands: what a line of words asks for, who may ask for it, and which run is next."""
