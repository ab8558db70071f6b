// Package dynamo is the dedup store in DynamoDB, for all environments of a flush. The same
// code speaks to AWS, to `millrace dev` and to other servers of the DynamoDB protocol.
//
// # Table
//
// One table, with the binary partition key k and no sort key; ttl is its time-to-live
// attribute. Times are Unix milliseconds, except ttl.
//
//	a claim                                     a settlement
//	k    "c" and the key, 33 bytes              "t" and the ticket's id, 17 bytes
//	v    version of the format: 1               1
//	h    id of the ticket that holds it         -
//	n    place of the claim in its ticket       -
//	s    checksum of the content                -
//	l    end of the lease                       -
//	b    -                                      bits: the claims that are committed, first in the lowest
//	d    -                                      1 when the others are released, else 0
//	x    when it may be overwritten             when what it commits is forgotten
//	ttl  Unix seconds, an hour after x          the same
//
// Besides, "n" and a name is a note: v, x, ttl and its text w, see Store.WriteNote;
// pkg/flush/gate keeps the state of breakers in such.
//
// A claim is a PutItem on condition that no claim is there, or that it is over. A
// settlement is one PutItem for all claims of a ticket: claims do not say themselves
// whether they are committed, the settlement of their ticket does. So a flush of n keys costs n + 1
// writes, not 2n.
//
//	settlement  bit    lease   the claim is
//	any         set    any     committed, until the settlement's x
//	d = 1       clear  any     free
//	d = 0       clear  over    free
//	none        -      over    free
//	d = 0       clear  runs    in progress
//	none        -      runs    in progress
//
// A claim that is free is taken over by a PutItem on condition that its holder is still
// the same. A claim is only overwritten, never deleted; the table's time to live removes
// it. Expiry never relies on that: AWS may take days.
//
// # Cost
//
//	call                       requests and units
//	Claim, n new keys          n PutItem, 1 write unit each (items are below 1 KB)
//	  m of them known          + m write units for conditions that failed, + BatchGetItem of the settlements
//	                           (1 read unit each), + of the claims where the server does not return them
//	Settle                     1 PutItem, 1 write unit (up to about 7,000 claims)
//	WriteNote, AddNote         1 PutItem, 1 write unit for each KB
//	ReadNotes                  1 BatchGetItem, 1 read unit for each name
//
// # Permissions
//
// All of it, claims, settlements and notes, needs two actions on the table, and no
// others: nothing is deleted, scanned, queried or described.
//
//	dynamodb:PutItem        claims, settlements, notes (with and without a condition)
//	dynamodb:BatchGetItem   claims and settlements of others, notes
//
// Calls are retried by the SDK (standard mode, three times in all) and by nothing else. One
// that is throttled beyond that is a dedup.ErrBusy, and stops the call.
package dynamo
