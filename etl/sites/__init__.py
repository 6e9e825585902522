"""What a site declares about its exports, and what each column of a file is."""
