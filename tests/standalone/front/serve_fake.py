"""The real server as a program, with fake workers: `python serve_fake.py start ...`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spacetimedb_standalone.config.options import StartOptions, parse_command_line
from spacetimedb_standalone.start import start_server
from spacetimedb_standalone.supervisor.launch import ForkLauncher

options = parse_command_line(sys.argv[1:])
assert isinstance(options, StartOptions)
start_server(options, os.environ, Path(sys.argv[0]), ForkLauncher("fake_worker:run"))
