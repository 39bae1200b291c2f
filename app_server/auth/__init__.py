"""Who is signed in, where that is kept, and what it adds to a request."""
