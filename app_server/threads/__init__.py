"""Many threads: starting, finding, listing, editing and unloading them, and who hears which."""
