"""How a message looks: HTML of a bubble, and the style sheet it needs. It knows none of WeChat's rules."""
