"""Use cases: what the server and the command line both do, without transport and without terminal."""
