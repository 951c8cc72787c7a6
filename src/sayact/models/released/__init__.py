"""What Google released of RT-1 and RT-1-X: its names and arrays, as weights of ours."""
