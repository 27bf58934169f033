"""What a plugin does to the whole process, found out and put back."""
