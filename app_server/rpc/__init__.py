"""How messages travel: frames, their JSON form, correlation, channels and transports."""
