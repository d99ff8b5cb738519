"""The pocket zoo: the libraries' own model classes at miniature size, built with fresh weights."""
