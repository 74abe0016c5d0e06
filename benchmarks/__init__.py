"""What `make bench` runs: each module here with a `run()` measures one thing and gives figures by name."""
