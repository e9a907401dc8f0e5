"""Components with their own JavaScript: `widget.py` tells how to make one."""
