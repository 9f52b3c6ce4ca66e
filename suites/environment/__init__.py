"""The environment stage, configured by ``greenroom.toml`` alone: see docs/environment.md."""
