"""The process service: runs resolved requests, owns every child, knows no policy."""
