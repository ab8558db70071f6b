package chaos

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
)

// errStoreLost is the answer to a write whose reply got lost.
var errStoreLost = errors.New("the reply is lost")

// storeFaults make the table that the flushes share fail with the weather.
func storeFaults(w *weather) *dynamodb.Faults {
	return &dynamodb.Faults{
		Intercept: func(_ string, body []byte) error {
			asked := readCall(body)
			switch {
			case w.strikes(StoreAway, ""):
				w.doubted(asked)
				return dynamodb.Unavailable()
			case w.strikes(StoreThrottle, ""):
				if asked.risk == riskUnsettled { // who asks, waits
					w.doubted(asked)
				}
				return dynamodb.Throttled()
			case w.strikes(StoreSlow, ""):
				w.doubted(asked) // whoever asks may lose patience
				<-time.After(w.slowness())
			}
			return nil
		},
		Lose: func(_ string, body []byte) error {
			if asked := readCall(body); asked.risk != riskUnasked || !w.strikes(StoreLoseReply, "") {
				return nil
			}
			return errStoreLost // repeated, the write meets itself
		},
	}
}

// slowness is how late a slow answer is: within the flush's patience, or beyond it.
func (w *weather) slowness() time.Duration {
	const longest = 2500 * time.Millisecond
	return time.Duration(w.plan.roll("slow", w.count("slow")) * float64(longest))
}

// asked is what a call to the table is about.
type asked struct {
	// risk of a failure; empty for a call that has nothing to do with duplicates.
	risk risk
	// by is the ticket, one for each flush; empty where the call does not name it.
	by string
}

// attribute is a binary attribute; JSON has it in base64.
type attribute struct {
	Bytes []byte `json:"B"`
}

// readCall looks at the first letter of the key: a claim, a ticket's settlement, or something else.
func readCall(body []byte) asked {
	var request struct {
		Item         item                             `json:"Item"`
		RequestItems map[string]struct{ Keys []item } `json:"RequestItems"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return asked{}
	}
	for _, read := range request.RequestItems {
		if len(read.Keys) > 0 && read.Keys[0].kind() != noteKind {
			return asked{risk: riskUnasked}
		}
	}
	switch request.Item.kind() {
	case claimKind:
		return asked{riskUnasked, string(request.Item.Holder.Bytes)}
	case ticketKind:
		return asked{riskUnsettled, string(request.Item.Key.Bytes[1:])}
	}
	return asked{}
}

// item is the part of an item that says what it is.
type item struct {
	Key    attribute `json:"k"`
	Holder attribute `json:"h"`
}

// Kinds of items, the first letters of their keys.
const (
	claimKind  = 'c'
	ticketKind = 't'
	noteKind   = 'n'
)

func (i item) kind() byte {
	if len(i.Key.Bytes) == 0 {
		return 0
	}
	return i.Key.Bytes[0]
}

// doubted notes a call that fails, once for each flush.
func (w *weather) doubted(a asked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.risk == "" || (a.by != "" && w.doubts[a]) {
		return
	}
	w.doubts[a] = true
	w.risks[a.risk]++
}
