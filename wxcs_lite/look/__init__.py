"""How a message looks: HTML of a bubble, and the style sheet it needs. It knows no rule of WeChat's."""
