package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"picora/store/kv"
)

// Every key that Picora writes. A key is a two-letter family and its parts.
// Parts of one length stand side by side; a text of any length is ended by NUL
// (none of ours contains one). Times are 8 bytes of Unix milliseconds, big
// endian, so that keys sort by time; ids break ties.
//
//	vv                                      schema version (decimal text)
//	se name                                 a setting's bytes
//	us user                                 User
//	ue email                                → user id; e-mail in lower case
//	ad user                                 who administers the server (empty)
//	ak key                                  APIKey
//	ah sha256                               → API key id
//	au user key                             a user's keys (empty)
//	ss session                              Session
//	sh sha256                               → session id; the hash is of the refresh token
//	su user session                         a user's sessions (empty)
//	fa user                                 Factors
//	id user identity                        Identity: an account elsewhere
//	ix sha256                               → user identity; the hash is of issuer NUL subject
//	in invite                               Invite
//	ic code                                 → invite id; upper and lower case differ
//	ip time invite                          the invites in the order of their list (empty)
//	co sha256                               Code; the hash is of what it is for
//	ud user sha256                          → time: a user signed in on such a device
//	an announcement                         Announcement
//	ao time announcement                    the announcements in the order of their list (empty)
//	aw announcement                         one that was not sent to everybody yet (empty)
//	ev time event                           Event: the audit log
//	no user time notification               Notification
//	nu user time notification               … that was not read (empty)
//	me user time media                      Media: the record itself, in the order of lists
//	mi media                                → user time: where the record is
//	mk user kind time media                 a user's media of a kind (empty)
//	mv user kind public time media          … public (1) or not (0) (empty)
//	mt user kind tag NUL time media         … with a tag (empty)
//	mh user sha256                          → media id: one record a user and content
//	mc user kind                            Count
//	um user month                           Month; the month as 2026-01
//	rc user                                 a recount that is under way
//	mb blob                                 → id of the media, watermark or user that owns a blob
//	ml time media                           → user: nobody knows yet how the picture looks
//	mw time media                           → user: audio that is to be measured, or made equally loud
//	wm user watermark                       Watermark
//	kb user collection                      Collection
//	ki collection                           → user id
//	ks slug                                 → collection id
//	kw collection                           what is in it is to follow it into the trash, or back (empty)
//	kt user type                            CollectionType
//	xb blob                                 a blob to be deleted (empty)
//	xu user                                 → time: the account ended then, and what it left is being deleted
var (
	keyVersion = []byte("vv")
	keyTrash   = []byte("xb")
	keyUnseen  = []byte("ml")
	keyUnheard = []byte("mw")

	keyRemovals = []byte("xu")
)

// ofUser are the families whose keys begin with a user's id. They go with the account:
// a family that is missing here outlives it (but see the test that looks for that).
var ofUser = []string{"us", "ad", "au", "su", "fa", "id", "ud", "no", "nu", "me", "mk", "mv", "mt", "mh", "mc", "um", "rc", "wm", "kb", "kt"}

func key(family string, parts ...string) []byte {
	n := len(family)
	for _, p := range parts {
		n += len(p)
	}
	b := append(make([]byte, 0, n), family...)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func timeKey(t time.Time) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(t.UnixMilli()))
	return string(b[:])
}

// timeOf is the time that timeKey wrote.
func timeOf(key []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(key))).UTC()
}

func keySetting(name string) []byte            { return key("se", name) }
func keyUser(id string) []byte                 { return key("us", id) }
func keyUserEmail(email string) []byte         { return key("ue", FoldEmail(email)) }
func keyAPIKey(id string) []byte               { return key("ak", id) }
func keyAPIKeyHash(hash []byte) []byte         { return key("ah", string(hash)) }
func keyUserAPIKey(user, id string) []byte     { return key("au", user, id) }
func keySession(id string) []byte              { return key("ss", id) }
func keySessionHash(hash []byte) []byte        { return key("sh", string(hash)) }
func keyUserSession(user, id string) []byte    { return key("su", user, id) }
func keyEvent(e *Event) []byte                 { return key("ev", timeKey(e.Time), e.ID) }
func keyNotice(n *Notification) []byte         { return key("no", n.User, timeKey(n.Created), n.ID) }
func keyUnread(n *Notification) []byte         { return key("nu", n.User, timeKey(n.Created), n.ID) }
func keyMediaID(id string) []byte              { return key("mi", id) }
func keyMediaHash(u string, h []byte) []byte   { return key("mh", u, string(h)) }
func keyCount(user string, k Kind) []byte      { return key("mc", user, string(byte(k))) }
func keyWatermark(user, id string) []byte      { return key("wm", user, id) }
func keyBlob(blob string) []byte               { return key("mb", blob) }
func keyTrashed(blob string) []byte            { return key("xb", blob) }
func keyFactors(user string) []byte            { return key("fa", user) }
func keyIdentity(user, id string) []byte       { return key("id", user, id) }
func identitiesOf(user string) []byte          { return key("id", user) }
func keyAdmin(id string) []byte                { return key("ad", id) }
func keyInvite(id string) []byte               { return key("in", id) }
func keyInviteCode(code string) []byte         { return key("ic", code) }
func keyInvitePlace(i *Invite) []byte          { return key("ip", timeKey(i.Created), i.ID) }
func keyCode(id []byte) []byte                 { return key("co", string(id)) }
func keyDevice(user string, d []byte) []byte   { return key("ud", user, string(d)) }
func keyAnnounced(id string) []byte            { return key("an", id) }
func keyAnnouncedPlace(a *Announcement) []byte { return key("ao", timeKey(a.Created), a.ID) }
func keyAnnouncing(id string) []byte           { return key("aw", id) }
func keyRemoval(user string) []byte            { return key("xu", user) }
func keyMonth(user, month string) []byte       { return key("um", user, month) }
func keyRecount(user string) []byte            { return key("rc", user) }

// place is where a media record stands among its user's: time, then id.
func place(m *Media) string { return timeKey(m.Created) + m.ID }

func keyMedia(m *Media) []byte { return keyPlace(m.User, place(m)) }

// keyPlace is the key of the record at that place of the user's. The two may be
// cut apart anywhere.
func keyPlace(user, place string) []byte { return key("me", user, place) }

// keyIdentityOf leads from what a provider knows somebody by, texts of any length, to
// the identity.
func keyIdentityOf(issuer, subject string) []byte {
	h := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return key("ix", string(h[:]))
}

func keyMediaUnseen(m *Media) []byte  { return key("ml", place(m)) }
func keyMediaUnheard(m *Media) []byte { return key("mw", place(m)) }

func keyMediaPublic(m *Media) []byte {
	return key("mv", m.User, string(byte(m.Kind)), bit(m.Public), place(m))
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// keysOfUser is the prefix of the index of a user's API keys; of everybody's when
// the user is empty.
func keysOfUser(user string) []byte { return key("au", user) }

// sessionsOf is the prefix of the index of a user's sessions.
func sessionsOf(user string) []byte { return key("su", user) }

// noticesOf is the prefix of a user's notifications, and unreadOf that of the index of
// those that were not read. What follows is the same in both.
func noticesOf(user string) []byte { return key("no", user) }
func unreadOf(user string) []byte  { return key("nu", user) }

// monthsOf is the prefix of a user's months.
func monthsOf(user string) []byte { return key("um", user) }

// keyUserEmails is the prefix of all users' e-mail addresses.
var keyUserEmails = []byte("ue")

// The prefixes of all administrators, all counts and all users.
var (
	keyAdmins = []byte("ad")
	keyCounts = []byte("mc")
	keyUsers  = []byte("us")
)

// keyAnnouncedPlaces is the prefix of all announcements in the order of their list, and
// keyAnnouncings that of those that were not sent to everybody yet.
var (
	keyAnnouncedPlaces = []byte("ao")
	keyAnnouncings     = []byte("aw")
)

// keyEvents is the prefix of the audit log.
var keyEvents = []byte("ev")

// keyInvitePlaces is the prefix of all invites in the order of their list.
var keyInvitePlaces = []byte("ip")

func keyMediaKind(m *Media) []byte {
	return key("mk", m.User, string(byte(m.Kind)), place(m))
}

func keyMediaTag(m *Media, tag string) []byte {
	return key("mt", m.User, string(byte(m.Kind)), tag, "\x00", place(m))
}

// indexOf is the prefix of the index that answers q; what follows it is a place.
func indexOf(user string, q Query) []byte {
	switch {
	case q.Kind != 0 && q.Tag != "":
		return key("mt", user, string(byte(q.Kind)), q.Tag, "\x00")
	case q.Kind != 0 && q.Public != nil:
		return key("mv", user, string(byte(q.Kind)), bit(*q.Public))
	case q.Kind != 0:
		return key("mk", user, string(byte(q.Kind)))
	}
	return key("me", user)
}

// backFrom is the range of places in the index before the place after, the last first;
// of all when it is empty.
func backFrom(prefix []byte, after string) kv.Range {
	r := kv.Prefix(prefix)
	r.Reverse = true
	if after != "" {
		r.To = append(prefix[:len(prefix):len(prefix)], after...)
	}
	return r
}

// between is the range of places in the index from one time up to, but not
// including, another; a zero time is open.
func between(prefix []byte, from, to time.Time) kv.Range {
	r := kv.Prefix(prefix)
	if !from.IsZero() {
		r.From = append(prefix[:len(prefix):len(prefix)], timeKey(from)...)
	}
	if !to.IsZero() {
		r.To = append(prefix[:len(prefix):len(prefix)], timeKey(to)...)
	}
	return r
}

func keyCollection(user, id string) []byte     { return key("kb", user, id) }
func keyCollectionID(id string) []byte         { return key("ki", id) }
func keyCollectionSlug(slug string) []byte     { return key("ks", slug) }
func keyCollectionWork(id string) []byte       { return key("kw", id) }
func keyCollectionType(user, id string) []byte { return key("kt", user, id) }

// keyCollectionWorks is the prefix of all collections whose contents are to follow them.
var keyCollectionWorks = []byte("kw")
