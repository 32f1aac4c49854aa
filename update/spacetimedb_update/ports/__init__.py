"""The world as small interfaces: files, network, clock, processes, terminal. Tests replace each."""
