"""One run record in, documents out."""
