"""*Track points*: `track_points` the operators, `track_points_form` their form, `colors` a colour per track."""
