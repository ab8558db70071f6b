package dynamo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/millrace-dev/millrace/pkg/dedup"
)

const (
	// atOnce is how many writes are under way at a time: as many as the SDK keeps connections
	// open to one host (DefaultHTTPTransportMaxIdleConnsPerHost); more would shake hands anew each time.
	atOnce = 10
	// MaxKeysRead is the most keys of one BatchGetItem. Source: Amazon DynamoDB API
	// Reference, BatchGetItem.
	MaxKeysRead = 100
	// justTaken is how long to leave a claim that somebody took at this very moment.
	justTaken = time.Second
)

// claiming is one call of Claim.
type claiming struct {
	*Store
	ticket  dedup.Ticket
	claims  []dedup.Claim
	now     time.Time
	answers []dedup.Answer

	mu   sync.Mutex
	err  error        // the first trouble
	over atomic.Bool  // after it, nothing new is begun
	met  map[int]item // claims whose key is taken, with what is there if the server said
}

// Claim implements dedup.Store.
func (s *Store) Claim(ctx context.Context, t dedup.Ticket, claims []dedup.Claim) ([]dedup.Answer, error) {
	c := &claiming{
		Store: s, ticket: t, claims: claims, now: s.now(),
		answers: make([]dedup.Answer, len(claims)), met: make(map[int]item),
	}
	c.each(len(claims), func(i int) { c.first(ctx, i) })
	if len(c.met) > 0 {
		c.lookCloser(ctx)
	}
	return c.answers, c.err
}

// each calls do for 0 to n-1, some at a time, until there is trouble.
func (c *claiming) each(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, atOnce) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !c.over.Load(); i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

func (c *claiming) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.over.Store(true)
}

// first claims a key that is probably free.
func (c *claiming) first(ctx context.Context, i int) {
	taken, err := c.put(ctx, i, notThere, map[string]types.AttributeValue{":now": millis(c.now)})
	switch {
	case err != nil:
		c.fail(c.explain("claim in", err))
	case taken != nil:
		c.mu.Lock()
		c.met[i] = taken.Item
		c.mu.Unlock()
	default:
		c.answers[i].State = dedup.Claimed
	}
}

// put writes a claim on a condition. taken is not nil when the condition does not hold.
func (c *claiming) put(ctx context.Context, i int, condition string, values item) (taken *types.ConditionalCheckFailedException, err error) {
	_, err = c.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &c.table, Item: newClaim(c.ticket, c.claims[i], i, c.now),
		ConditionExpression: ptr(condition), ExpressionAttributeValues: values,
		// It saves the read where the server can do it; where it cannot, we read.
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if errors.As(err, &taken) {
		return taken, nil
	}
	return nil, err
}

// lookCloser finds out what the keys are that are taken.
func (c *claiming) lookCloser(ctx context.Context) {
	c.readMet(ctx)
	there := make(map[int]claimed, len(c.met))
	holders := make(map[[16]byte]types.AttributeValue)
	for i, it := range c.met {
		if it == nil {
			continue // unread, or gone between two calls
		}
		held, err := readClaim(it)
		if err != nil {
			c.fail(fmt.Errorf("claim in %s: %w", c.table, err))
			continue
		}
		there[i] = held
		holders[held.holder] = ticketKey(held.holder)
	}
	settlements, err := c.settlements(ctx, holders)
	if err != nil {
		c.fail(err)
		return
	}
	var free []int
	for i, held := range there {
		var s *settled
		if found, ok := settlements[held.holder]; ok {
			s = &found
		}
		c.answers[i] = c.judge(c.claims[i], held, s)
		if c.answers[i].State == dedup.Unknown {
			free = append(free, i)
		}
	}
	c.each(len(free), func(k int) { c.takeOver(ctx, free[k], there[free[k]].holder) })
}

// judge reads the table of the package documentation. Unknown means that the claim is free to
// be taken over.
func (c *claiming) judge(wanted dedup.Claim, held claimed, s *settled) dedup.Answer {
	left := held.lease.Sub(c.now)
	switch {
	case held.holder == c.ticket.ID: // the reply to our own write was lost, and the SDK wrote again
		return dedup.Answer{State: dedup.Claimed}
	case s != nil && s.committed(held.place):
		window := min(s.expiry.Sub(c.now), held.expiry.Sub(c.now), c.ticket.Window)
		if window <= 0 {
			return dedup.Answer{}
		}
		conflict := held.content != 0 && wanted.Content != 0 && held.content != wanted.Content
		return dedup.Answer{State: dedup.Committed, Conflict: conflict, Left: window}
	case s != nil && s.done, left <= 0:
		return dedup.Answer{}
	}
	return dedup.Answer{State: dedup.InProgress, Left: min(left, c.ticket.Lease)}
}

// takeOver claims a key that is free, unless somebody else was faster.
func (c *claiming) takeOver(ctx context.Context, i int, holder [16]byte) {
	taken, err := c.put(ctx, i, heldBy, item{":holder": &types.AttributeValueMemberB{Value: holder[:]}})
	switch {
	case err != nil:
		c.fail(c.explain("claim in", err))
	case taken != nil && heldByUs(taken.Item, c.ticket.ID):
		c.answers[i].State = dedup.Claimed
	case taken != nil:
		c.answers[i] = dedup.Answer{State: dedup.InProgress, Left: justTaken}
	default:
		c.answers[i].State = dedup.Claimed
	}
}

// heldByUs says whether a lost reply made us meet our own take-over. Where the server does not
// return the item, the events wait for our own lease to end: late, not lost.
func heldByUs(it item, id [16]byte) bool {
	held, err := readClaim(it)
	return err == nil && held.holder == id
}

// readMet reads the claims that the server did not return.
func (c *claiming) readMet(ctx context.Context) {
	var keys []item
	places := make(map[string]int)
	for i, it := range c.met {
		if it == nil {
			key := claimKey(c.claims[i].Key)
			keys = append(keys, item{KeyAttribute: key})
			places[string(key.(*types.AttributeValueMemberB).Value)] = i //nolint:forcetypeassert // made so
			c.answers[i] = dedup.Answer{State: dedup.InProgress, Left: justTaken}
		}
	}
	items, err := c.read(ctx, keys)
	if err != nil {
		c.fail(err)
		for _, i := range places {
			c.answers[i] = dedup.Answer{}
		}
		return
	}
	for _, it := range items {
		if key, ok := it[KeyAttribute].(*types.AttributeValueMemberB); ok {
			c.met[places[string(key.Value)]] = it
		}
	}
}

// settlements reads those of some tickets.
func (c *claiming) settlements(ctx context.Context, tickets map[[16]byte]types.AttributeValue) (map[[16]byte]settled, error) {
	keys := make([]item, 0, len(tickets))
	for _, key := range tickets {
		keys = append(keys, item{KeyAttribute: key})
	}
	items, err := c.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	settlements := make(map[[16]byte]settled, len(items))
	for _, it := range items {
		id, s, err := readSettlement(it)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", c.table, err)
		}
		settlements[id] = s
	}
	return settlements, nil
}

// read gets items, as they are now.
func (s *Store) read(ctx context.Context, keys []item) ([]item, error) {
	var items []item
	consistent := true
	for len(keys) > 0 {
		n := min(len(keys), MaxKeysRead)
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: {Keys: keys[:n], ConsistentRead: &consistent}},
		})
		if err != nil {
			return nil, s.explain("read", err)
		}
		if left := len(out.UnprocessedKeys[s.table].Keys); left > 0 {
			return nil, fmt.Errorf("read %s: %w: %d of %d keys left", s.table, dedup.ErrBusy, left, n)
		}
		items = append(items, out.Responses[s.table]...)
		keys = keys[n:]
	}
	return items, nil
}
