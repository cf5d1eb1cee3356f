package auth

import (
	"strings"

	"picora/app/fault"
)

// Scope is a set of permissions.
type Scope uint16

// The permissions, named as in the contract's second vocabulary (section 5).
const (
	MediaRead Scope = 1 << iota
	MediaWrite
	MediaDelete
	KBRead
	KBWrite
	AccountRead
	UsageRead
)

// scopeNames is in the order in which a set is written.
var scopeNames = []struct {
	name string
	set  Scope
}{
	{"media.read", MediaRead},
	{"media.write", MediaWrite},
	{"media.delete", MediaDelete},
	{"kb.read", KBRead},
	{"kb.write", KBWrite},
	{"account.read", AccountRead},
	{"usage.read", UsageRead},
}

// everything is what people who signed in may do.
const everything = ^Scope(0)

const readOnly = MediaRead | KBRead | AccountRead | UsageRead

// tiers are the names of the first vocabulary.
var tiers = map[string]Scope{
	"read":              readOnly,
	"read_write":        readOnly | MediaWrite | KBWrite,
	"read_write_delete": readOnly | MediaWrite | KBWrite | MediaDelete,
}

// ParseScopes adds up the named permissions. Both vocabularies may be mixed.
func ParseScopes(names []string) (set Scope, err error) {
next:
	for _, n := range names {
		if t, ok := tiers[n]; ok {
			set |= t
			continue
		}
		for _, s := range scopeNames {
			if s.name == n {
				set |= s.set
				continue next
			}
		}
		return 0, fault.New(fault.Invalid, "There is no scope %q. Known are read, read_write, read_write_delete, %s.", n, Scope(^Scope(0)))
	}
	return set, nil
}

// Names lists the permissions of the set.
func (s Scope) Names() (names []string) {
	for _, n := range scopeNames {
		if s&n.set != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

func (s Scope) String() string { return strings.Join(s.Names(), ", ") }
