"""How the models learn. May use video and models; is never used by them."""
