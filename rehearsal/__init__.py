"""A deployment on one machine: engine, revisions as processes, Envoy, Lambda hooks."""
