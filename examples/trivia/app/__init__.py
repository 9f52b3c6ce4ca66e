"""The trivia API: the example service whose releases Greenroom validates."""
