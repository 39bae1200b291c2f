"""The tools the model may call, and the one path their side effects take."""
