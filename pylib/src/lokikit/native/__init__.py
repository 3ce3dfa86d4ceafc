"""The native runtime: real programs as processes of this machine, without Docker."""
