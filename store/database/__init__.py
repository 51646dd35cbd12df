"""MongoDB beside FiftyOne's own API; the only room that knows pymongo (and bson, with `tracks`' encoders).

`connection` gives collections that wait for a server that is away, `keys` names the
documents in them, `fields` declares what a dataset holds of ours, `frame_documents`
writes frames in bulk. `liveness` says which run is alive, `claims` which of them
writes a sample, `locks` lets one at a time do something to a dataset, `journal` keeps
outcomes while a run goes on.

Adding a kind of document: a collection's name in `connection`, its ids by `keys.Key`,
and its removal in `liveness.forget_deleted_datasets`.
"""
