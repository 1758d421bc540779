"""The commands, one file each; what they do is in the modules beside this folder."""
