"""One thread's mind: its turns, its tools, what it remembers and what it says happened."""
