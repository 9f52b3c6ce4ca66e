"""What Greenroom costs, and how it compares; each module prints one table."""
