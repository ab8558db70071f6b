package queue

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxGroupID is the longest MessageGroupId. Source: SQS API reference, SendMessage.
const maxGroupID = 128

// groupID turns a tenant into a MessageGroupId, which makes a standard queue a fair
// one: a tenant with many messages waiting does not delay the others. A tenant whose
// name SQS would refuse is represented by its hash.
func groupID(tenant string) *string {
	if plain(tenant) {
		return &tenant
	}
	sum := sha256.Sum256([]byte(tenant))
	id := hex.EncodeToString(sum[:])
	return &id
}

// plain says whether SQS takes the name as it is: 1 to 128 printable ASCII characters
// without spaces.
func plain(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return name != "" && len(name) <= maxGroupID
}
