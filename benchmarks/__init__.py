"""Speed, memory and robustness of `mnist`, compared with other tools and with targets."""
