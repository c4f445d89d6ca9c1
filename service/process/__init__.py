"""The process around the application: sockets, bounds on connections, a beginning and an end."""
