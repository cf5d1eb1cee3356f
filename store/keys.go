package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"picora/store/kv"
	"picora/store/words"
)

// Every key that Picora writes. A key is a two-letter family and its parts.
// Parts of one length stand side by side; a text of any length is ended by NUL
// (none of ours contains one). Times are 8 bytes of Unix milliseconds, big
// endian, so that keys sort by time; ids break ties.
//
//	vv                                      schema version (decimal text)
//	vf                                      the indexes of media are being written anew: how far it is
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
//	mh user sha256 kind media               who has that content; one record a user, kind and content, but for those that came back from the trash (empty)
//	mg user kind collection NUL time media  … in a collection, or in none (empty)
//	ms user kind size time media            … by size, 8 bytes (→ number)
//	mn user kind name NUL time media        … by name, as words.SortKey writes it (→ number)
//	mr user number                          → time media: the record that has a number
//	mu user kind sequence                   → time media: the records in the order of their last changes
//	md user sequence                        → kind time media: what was deleted, and when
//	mf user                                 → sequence: what was deleted up to it is forgotten
//	mq user                                 tally: numbers and sequences given
//	tm user time media                      Media in the trash, in the order of their deletion
//	ti media                                → user time: where it is in the trash
//	tp time media                           → user: everybody's trash in the order of deletion
//	mc user kind                            Count
//	sp user chunk token                     which records of a chunk of numbers have a token, see index.go
//	sx user token NUL chunk                 … of tokens of fields: all chunks side by side
//	sf user number                          the tokens of a record that are indexed, NUL between
//	sd user number part                     … and of a document's text
//	sm user                                 → number: records up to it are indexed, but for
//	sq user number                          … those that changed since (empty)
//	st user number                          a document whose text is to be indexed (empty)
//	sw user                                 somebody of whom something is to be indexed (empty)
//	um user month                           Month; the month as 2026-01
//	rc user                                 a recount that is under way
//	mb blob                                 → who has it: id of the media or user, key of the watermark or revision
//	cs blob                                 size and SHA-256 of its bytes as they were first seen, where no record says that
//	sc blob                                 Finding: what is wrong with it
//	ml time media                           → user: nobody knows yet how the picture looks
//	mw time media                           → user: audio that is to be measured, or made equally loud
//	wm user watermark                       Watermark
//	ul user upload                          Upload: a file that comes in pieces
//	dp user collection path                 → media id: the document there
//	rv user media revision                  Revision; the media is the lineage
//	rn user                                 Count of all the user's revisions
//	kb user collection                      Collection
//	ki collection                           → user id
//	ks slug                                 → collection id
//	kw collection                           → time user: what is in it is to follow it into the trash, deleted then, or back
//	kd time collection                      → user: the deleted ones in the order of their deletion
//	kt user type                            CollectionType
//	jb user job                             Job: work on a media record that takes long
//	jm user media                           → job id: the record's
//	ji job                                  → user id
//	jl state time job                       → user: the jobs of a state (0: all) in the order of their list
//	jd rank time job                        → user: when a job may begin that waits, or its lease ends
//	xb blob                                 a blob to be deleted (empty)
//	xu user                                 → time: the account ended then, and what it left is being deleted
var (
	keyVersion = []byte("vv")
	keyFill    = []byte("vf")
	keyTrash   = []byte("xb")
	keyBlobs   = []byte("mb")
	keyUnseen  = []byte("ml")
	keyUnheard = []byte("mw")

	keyRemovals = []byte("xu")

	keyTrashPlaces = []byte("tp")

	keyFindings = []byte("sc")
)

// ofUser are the families whose keys begin with a user's id. They go with the account:
// a family that is missing here outlives it (but see the test that looks for that).
var ofUser = []string{
	"us", "ad", "au", "su", "fa", "id", "ud", "no", "nu", "me", "mk", "mv", "mt", "mh", "mg", "ms", "mn", "mr", "mu", "md", "mf", "mq", "tm", "mc",
	"sp", "sx", "sf", "sd", "sm", "sq", "st", "sw", "um", "rc", "wm", "kb", "kt", "dp", "rv", "rn", "jb", "jm", "ul",
}

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
func mediaOfHash(u string, h []byte) []byte    { return key("mh", u, string(h)) }
func keyCount(user string, k Kind) []byte      { return key("mc", user, string(byte(k))) }
func keyWatermark(user, id string) []byte      { return key("wm", user, id) }
func keyUpload(user, id string) []byte         { return key("ul", user, id) }
func keyBlob(blob string) []byte               { return key("mb", blob) }
func keyTrashed(blob string) []byte            { return key("xb", blob) }
func keySum(blob string) []byte                { return key("cs", blob) }
func keyFinding(blob string) []byte            { return key("sc", blob) }
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

// spot is place among those in the trash.
func spot(m *Media) string { return timeKey(m.Deleted) + m.ID }

// keyMedia is where the record is kept.
func keyMedia(m *Media) []byte {
	if m.Trashed() {
		return keySpot(m.User, spot(m))
	}
	return keyPlace(m.User, place(m))
}

// keyPlace is the key of the record at that place of the user's. The two may be
// cut apart anywhere; keySpot is the same in the trash.
func keyPlace(user, place string) []byte { return key("me", user, place) }
func keySpot(user, spot string) []byte   { return key("tm", user, spot) }

func keyTrashID(id string) []byte     { return key("ti", id) }
func keyTrashPlace(m *Media) []byte   { return key("tp", spot(m)) }
func keyTally(user string) []byte     { return key("mq", user) }
func keyForgotten(user string) []byte { return key("mf", user) }

func keyNumber(user string, n uint32) []byte { return key("mr", user, four(n)) }

func keyChange(m *Media) []byte {
	return key("mu", m.User, string(byte(m.Kind)), eight(m.Seq))
}

func keyTombstone(user string, seq uint64) []byte { return key("md", user, eight(seq)) }

// keyPosting has the tokens of a chunk side by side, because they are written together
// and begin alike; but of fields, which are few, the chunks, because lists read them all.
func keyPosting(user string, chunk uint32, token string) []byte {
	if isField(token) {
		return append(keyPostings(user, token), four(chunk)...)
	}
	return key("sp", user, four(chunk), token)
}

// keyPostings is the prefix of the postings of a field's token.
func keyPostings(user, token string) []byte { return key("sx", user, token, "\x00") }

func keyFields(user string, n uint32) []byte    { return key("sf", user, four(n)) }
func keyTextParts(user string, n uint32) []byte { return key("sd", user, four(n)) }
func keyIndexed(user string) []byte             { return key("sm", user) }
func keyMarks(user string) []byte               { return key("sq", user) }
func keyMark(user string, n uint32) []byte      { return key("sq", user, four(n)) }
func keyTextMarks(user string) []byte           { return key("st", user) }
func keyTextMark(user string, n uint32) []byte  { return key("st", user, four(n)) }
func keyUnindexed(user string) []byte           { return key("sw", user) }

func keyText(user string, n uint32, part uint16) []byte {
	return key("sd", user, four(n), string([]byte{byte(part >> 8), byte(part)}))
}

// four and eight write numbers so that keys sort by them.
func four(n uint32) string  { return string(binary.BigEndian.AppendUint32(nil, n)) }
func eight(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

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

// keyMonths is the prefix of all users' months.
var keyMonths = []byte("um")

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

func keyMediaHash(m *Media) []byte {
	return key("mh", m.User, string(m.Hash), string(byte(m.Kind)), m.ID)
}

func keyMediaCollection(m *Media) []byte {
	return key("mg", m.User, string(byte(m.Kind)), m.Collection, "\x00", place(m))
}

func keyMediaSize(m *Media) []byte {
	return key("ms", m.User, string(byte(m.Kind)), eight(uint64(m.Size)), place(m))
}

func keyMediaName(m *Media) []byte {
	return key("mn", m.User, string(byte(m.Kind)), words.SortKey(m.Name()), "\x00", place(m))
}

// indexOf is the prefix of the index that lists a kind in the order of q, as few as
// there is an index for; what follows it ends in a place.
func indexOf(user string, k Kind, q *Query) []byte {
	kind := string(byte(k))
	switch {
	case q.Sort == BySize:
		return key("ms", user, kind)
	case q.Sort == ByName:
		return key("mn", user, kind)
	case q.Tag != "":
		return key("mt", user, kind, q.Tag, "\x00")
	case q.Collection != nil:
		return key("mg", user, kind, *q.Collection, "\x00")
	case q.Public != nil:
		return key("mv", user, kind, bit(*q.Public))
	}
	return key("mk", user, kind)
}

// placeIn cuts the place out of what follows the prefix of an index.
func placeIn(by Sort, rest []byte) []byte {
	switch by {
	case BySize:
		return rest[8:]
	case ByName:
		return rest[bytes.IndexByte(rest, 0)+1:]
	}
	return rest
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

func keyDeletedCollection(c *Collection) []byte { return key("kd", timeKey(c.Deleted), c.ID) }

// keyDeletedCollections is the prefix of everybody's deleted collections.
var keyDeletedCollections = []byte("kd")

// keyCollectionWorks is the prefix of all collections whose contents are to follow them.
var keyCollectionWorks = []byte("kw")

func keyDocPath(user, collection, path string) []byte { return key("dp", user, collection, path) }

func keyRevision(user, lineage, id string) []byte { return key("rv", user, lineage, id) }
func revisionsOf(user, lineage string) []byte     { return key("rv", user, lineage) }
func keyAllRevisions(user string) []byte          { return key("rv", user) }
func keyRevisions(user string) []byte             { return key("rn", user) }

func keyJob(user, id string) []byte      { return key("jb", user, id) }
func keyJobOf(user, media string) []byte { return key("jm", user, media) }
func keyJobID(id string) []byte          { return key("ji", id) }
func jobPlaces(state JobState) []byte    { return key("jl", string(byte(state))) }
func jobsDue(rank JobRank) []byte        { return key("jd", string(byte(rank))) }

// keyJobPlace is where a job stands in the list of those of that state; zero: of all.
func keyJobPlace(state JobState, j *Job) []byte {
	return append(jobPlaces(state), timeKey(j.Created)+j.ID...)
}

func keyJobDue(j *Job) []byte {
	due := j.NotBefore
	if j.State == JobRunning {
		due = j.Until
	}
	return append(jobsDue(j.Rank), timeKey(due)+j.ID...)
}

// changesOf is the prefix of the index of the changes of a user's media of a kind.
func changesOf(user string, k Kind) []byte { return key("mu", user, string(byte(k))) }
