package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// claimPrefix is what all keys in the bucket begin with.
	claimPrefix = "packs/"
	// maxClaimTenant is the longest name of a tenant that is part of its keys as it is.
	maxClaimTenant = 64
	// sumDigits are the hex digits of a SHA-256.
	sumDigits = 2 * sha256.Size
)

// checkIn makes the message one whose events are in the bucket. The key follows from what
// is stored, so that storing it twice changes nothing, however the pack's id came about:
// an id says which events these are, not that their bytes are the same.
func (m *Message) checkIn() error {
	m.Header.Claim = claimsOf(m.Header.Tenant) + contentSum(m.Events)
	with, err := message(m.Header, m.Events)
	*m = with
	return err
}

// claims says whether a key is one of this tenant, so that no header reaches for
// what is somebody else's.
func claims(tenant, key string) bool {
	sum, own := strings.CutPrefix(key, claimsOf(tenant))
	return own && len(sum) == sumDigits && strings.Trim(sum, "0123456789abcdef") == ""
}

// claimsOf is what the keys of a tenant begin with. A name that is not fit for a key is
// represented by its hash, behind a character that no fit name has.
func claimsOf(tenant string) string {
	if fitForKey(tenant) {
		return claimPrefix + tenant + "/"
	}
	return claimPrefix + "~" + contentSum([]byte(tenant)) + "/"
}

// fitForKey says whether a name has only characters that need no escaping in a URL. A name
// of dots alone would mean a directory to much that reads paths.
func fitForKey(name string) bool {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	return len(name) <= maxClaimTenant && strings.Trim(name, ".") != "" && strings.Trim(name, plain) == ""
}

func contentSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
