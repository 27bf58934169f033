"""The operations that people can call, one module for each: arguments in, a value out."""
