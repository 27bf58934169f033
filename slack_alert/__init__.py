"""Plain Python functions, told to people: on time, within working hours, and not a hundred times over."""

__version__ = "1.0.0"
