"""The course of a run, from its slot or event to its record."""
