"""Templates of Go, as `line_format` and `label_format` take them."""
