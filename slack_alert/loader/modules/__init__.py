"""Plugin files as modules: their import, execution, order and registrations."""
