"""What `make demo` shows: clips with exact tracks, tracked and opened in the App.

`clips` makes the videos together with the truth about every point in them: `scenes` says what is to be seen in those
that move photographs and `layers` draws them, `generated` takes others from the generator of training video. `build`
makes the dataset, `plugin_link` lets FiftyOne find the checkout, `run` is the command. Nothing else in the package
depends on this folder. One more clip: a function in `scenes`, or a recipe in `generated`.
"""
