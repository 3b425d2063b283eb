"""Files from the web: where they are, and how they are fetched and checked."""
