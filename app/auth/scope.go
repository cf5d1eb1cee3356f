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
	CollectionRead
	CollectionWrite
	CollectionDelete
	EpisodeWrite
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
	{"collection.read", CollectionRead},
	{"collection.write", CollectionWrite},
	{"collection.delete", CollectionDelete},
	{"episode.write", EpisodeWrite},
}

// everything is what people who signed in may do.
const everything = ^Scope(0)

const (
	readOnly   = MediaRead | KBRead | AccountRead | UsageRead | CollectionRead
	readWrite  = readOnly | MediaWrite | KBWrite | CollectionWrite | EpisodeWrite
	readDelete = readWrite | MediaDelete | CollectionDelete
)

// tiers are the names of the first vocabulary. "write" stands at two operations of the
// hosted service for the one between.
var tiers = map[string]Scope{
	"read":              readOnly,
	"read_write":        readWrite,
	"write":             readWrite,
	"read_write_delete": readDelete,
	"all":               readDelete,
}

// aliases are the other vocabularies that clients have (contract 5): permissions by
// resource, the same the other way round, and what device sign-in asks for. Whoever may
// only delete documents does not exist here: changing them is it.
var aliases = func() map[string]Scope {
	all := map[string]Scope{
		"image:write": MediaRead | MediaWrite | AccountRead,
		"video:write": MediaRead | MediaWrite | AccountRead,
		"kb:write":    KBRead | KBWrite,
	}
	verbs := []string{"read", "write", "delete"}
	add := func(resource string, scopes ...Scope) {
		for i, s := range scopes {
			all[resource+":"+verbs[i]] = s
			all[verbs[i]+":"+resource] = s
		}
	}
	for _, media := range []string{"images", "videos", "audio", "media"} {
		add(media, MediaRead, MediaWrite, MediaDelete)
	}
	add("docs", KBRead, KBWrite, KBWrite)
	add("collection", CollectionRead, CollectionWrite, CollectionDelete)
	add("usage", UsageRead)
	add("account", AccountRead)
	all["read:kb"], all["write:kb"], all["kb:read"] = KBRead, KBWrite, KBRead
	return all
}()

// ParseScopes adds up the named permissions. All vocabularies may be mixed.
func ParseScopes(names []string) (set Scope, err error) {
	for _, n := range names {
		s, known := oneScope(n)
		if !known {
			return 0, fault.New(fault.Invalid, "There is no scope %q. Known are read, read_write, read_write_delete, %s.", n, everything)
		}
		set |= s
	}
	return set, nil
}

func oneScope(name string) (Scope, bool) {
	for _, s := range scopeNames {
		if s.name == name {
			return s.set, true
		}
	}
	if s, known := tiers[name]; known {
		return s, true
	}
	s, known := aliases[name]
	return s, known
}

// generation is the vocabulary that a key was made in: 1 of tiers, 2 of any other.
func generation(names []string) int {
	for _, n := range names {
		if _, tier := tiers[n]; !tier {
			return 2
		}
	}
	return 1
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

// Tier is the smallest of the first vocabulary's names that tells all the harm the set
// can do, for clients that know no others.
func (s Scope) Tier() string {
	switch {
	case s&^readWrite != 0:
		return "read_write_delete"
	case s&^readOnly != 0:
		return "read_write"
	}
	return "read"
}

func (s Scope) String() string { return strings.Join(s.Names(), ", ") }
