"""Call the plugin functions: in threads, on the main loop, in processes, and programs from outside."""
