"""The artifact stage, configured by ``greenroom.toml`` alone: see docs/artifact.md."""
