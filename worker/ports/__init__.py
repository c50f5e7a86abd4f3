"""What the cycle needs of the outside, as small protocols by right; the gateways satisfy them."""
