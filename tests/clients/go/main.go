// An ordinary user of go-pilosa: `session HOST:PORT` prints {step: what it got} as JSON. Its indexes are go-ids and go-keys; they
// are removed at the end.
package main

import (
	"encoding/json"
	"io"
	"io/ioutil"
	"log"
	"os"
	"sort"
	"time"

	pilosa "github.com/pilosa/go-pilosa"
)

const shard = 1 << 20

var newYear = time.Date(2018, 1, 1, 10, 0, 0, 0, time.UTC)
var march = time.Date(2018, 3, 5, 7, 0, 0, 0, time.UTC)

type session struct {
	client *pilosa.Client
	said   map[string]interface{}
	ids    *pilosa.Index
	keys   *pilosa.Index
	f      map[string]*pilosa.Field
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// records is an iterator over what it holds.
type records struct{ left []pilosa.Record }

func (r *records) NextRecord() (pilosa.Record, error) {
	if len(r.left) == 0 {
		return nil, io.EOF
	}
	first := r.left[0]
	r.left = r.left[1:]
	return first, nil
}

func (s *session) bring(field string, what []pilosa.Record, options ...pilosa.ImportOption) {
	if err := s.client.ImportField(s.f[field], &records{what}, options...); err != nil {
		log.Fatalf("import of %s: %v", field, err)
	}
}

func bits(pairs ...uint64) (out []pilosa.Record) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pilosa.Column{RowID: pairs[i], ColumnID: pairs[i+1]})
	}
	return
}

// ask says what a query's results hold.
func (s *session) ask(step string, query pilosa.PQLQuery, options ...interface{}) {
	response, err := s.client.Query(query, options...)
	if err != nil {
		// The client takes an answer of 400 for a host that is away, and has none left
		s.said[step] = "refused"
		s.client = newClient()
		return
	}
	said := []interface{}{}
	for _, result := range response.Results() {
		said = append(said, plain(result))
	}
	s.said[step] = said
	if columns := response.ColumnAttrs(); len(columns) > 0 {
		s.said[step+", columns"] = columns
	}
}

// plain is what a result holds, whatever it is of.
func plain(result pilosa.QueryResult) map[string]interface{} {
	held := map[string]interface{}{"type": result.Type()}
	row := result.Row()
	if len(row.Columns) > 0 {
		held["columns"] = row.Columns
	}
	if len(row.Keys) > 0 {
		held["keys"] = row.Keys
	}
	if len(row.Attributes) > 0 {
		held["attributes"] = row.Attributes
	}
	if items := result.CountItems(); len(items) > 0 {
		pairs := [][]interface{}{}
		for _, item := range items {
			pairs = append(pairs, []interface{}{item.ID, item.Key, item.Count})
		}
		held["items"] = pairs
	}
	if result.Count() != 0 {
		held["count"] = result.Count()
	}
	if result.Value() != 0 {
		held["value"] = result.Value()
	}
	if result.Changed() {
		held["changed"] = true
	}
	if groups := result.GroupCounts(); len(groups) > 0 {
		held["groups"] = groups
	}
	if rows := result.RowIdentifiers(); len(rows.IDs)+len(rows.Keys) > 0 {
		held["rows"] = rows
	}
	return held
}

func (s *session) synchronise() {
	schema := pilosa.NewSchema()
	s.ids = schema.Index("go-ids")
	s.keys = schema.Index("go-keys", pilosa.OptIndexKeys(true), pilosa.OptIndexTrackExistence(false))
	s.f = map[string]*pilosa.Field{
		"set":    s.ids.Field("set"),
		"lru":    s.ids.Field("lru", pilosa.OptFieldTypeSet(pilosa.CacheTypeLRU, 1000)),
		"keyed":  s.ids.Field("keyed", pilosa.OptFieldKeys(true)),
		"int":    s.ids.Field("int", pilosa.OptFieldTypeInt(-1000, 1000)),
		"time":   s.ids.Field("time", pilosa.OptFieldTypeTime(pilosa.TimeQuantumYearMonthDayHour)),
		"views":  s.ids.Field("views", pilosa.OptFieldTypeTime(pilosa.TimeQuantumYearMonthDay, true)),
		"mutex":  s.ids.Field("mutex", pilosa.OptFieldTypeMutex(pilosa.CacheTypeRanked, 100)),
		"bool":   s.ids.Field("bool", pilosa.OptFieldTypeBool()),
		"kset":   s.keys.Field("kset"),
		"kkeyed": s.keys.Field("kkeyed", pilosa.OptFieldKeys(true)),
		"kint":   s.keys.Field("kint", pilosa.OptFieldTypeInt(-10, 10)),
	}
	for _, index := range []*pilosa.Index{s.ids, s.keys} {
		_ = s.client.DeleteIndex(index) // there may be none
	}
	must(s.client.SyncSchema(schema))
	there, err := s.client.Schema()
	must(err)
	described := map[string]interface{}{}
	for _, name := range []string{"go-ids", "go-keys"} {
		index := there.Index(name)
		described[name] = []interface{}{index.Opts().Keys(), index.Opts().TrackExistence()}
		for field, of := range index.Fields() {
			o := of.Opts()
			described[name+"/"+field] = []interface{}{
				o.Type(), o.Keys(), o.CacheType(), o.CacheSize(), o.Min(), o.Max(), o.TimeQuantum(), o.NoStandardView()}
		}
	}
	s.said["schema"] = described
	s.said["the index again"] = s.client.CreateIndex(s.ids) == pilosa.ErrIndexExists
	s.said["a field again"] = s.client.CreateField(s.f["set"]) == pilosa.ErrFieldExists
	if info, err := s.client.Info(); err != nil {
		s.said["info"] = "refused"
	} else {
		s.said["info"] = []interface{}{info.ShardWidth, info.CPULogicalCores > 0}
	}
	status, err := s.client.Status()
	must(err)
	s.said["status"] = []interface{}{status.State, len(status.Nodes)}
}

func (s *session) imports() {
	slow := pilosa.OptImportRoaring(false)
	many := []pilosa.Record{}
	for i := uint64(0); i < 1000; i++ {
		many = append(many, pilosa.Column{RowID: i % 3, ColumnID: i * 7})
	}
	s.bring("set", many) // roaring, as is the default
	s.bring("set", bits(9, 0, 9, shard-1, 9, shard, 9, 5*shard+7), pilosa.OptImportBatchSize(2), pilosa.OptImportThreadCount(2))
	s.bring("set", bits(10, 1, 10, 2, 10, shard+3), slow)
	s.bring("lru", bits(4, 0, 4, 1, 4, 2, 5, 1), slow)
	keyed := []pilosa.Record{}
	for i, key := range []string{"red", "green", "red", "blue", "Größe", "red"} {
		keyed = append(keyed, pilosa.Column{RowKey: key, ColumnID: uint64(i)})
	}
	// Keys by /internal/translate/keys, then roaring. One key: of several the client makes ids in the order of a Go map.
	s.bring("keyed", keyed[:1])
	s.bring("keyed", keyed[1:], slow)
	values := []pilosa.Record{}
	for i, value := range []int64{-1000, -1, 0, 1, 1000, 63, -63} {
		values = append(values, pilosa.FieldValue{ColumnID: uint64(i), Value: value})
	}
	s.bring("int", values)
	stamped := []pilosa.Record{
		pilosa.Column{RowID: 1, ColumnID: 1, Timestamp: newYear.UnixNano()},
		pilosa.Column{RowID: 1, ColumnID: 2, Timestamp: march.UnixNano()},
		pilosa.Column{RowID: 2, ColumnID: 3},
	}
	s.bring("time", stamped)
	s.bring("time", []pilosa.Record{pilosa.Column{RowID: 1, ColumnID: shard + 4, Timestamp: march.UnixNano()}}, slow)
	s.bring("views", stamped[:2])
	s.bring("mutex", bits(1, 1, 2, 2, 3, 1), pilosa.OptImportSort(false))
	s.bring("bool", bits(0, 1, 1, 2), slow)
	err := s.client.ImportField(s.f["bool"], &records{bits(1, 7)})
	s.said["bool as roaring is refused"] = err != nil
	s.bring("kset", []pilosa.Record{
		pilosa.Column{RowID: 1, ColumnKey: "k1"}, pilosa.Column{RowID: 1, ColumnKey: "k2"}, pilosa.Column{RowID: 2, ColumnKey: "k3"}}, slow)
	s.bring("kset", []pilosa.Record{pilosa.Column{RowID: 1, ColumnKey: "k4"}})
	s.bring("kkeyed", []pilosa.Record{
		pilosa.Column{RowKey: "a", ColumnKey: "k1"}, pilosa.Column{RowKey: "b", ColumnKey: "k2"}, pilosa.Column{RowKey: "a", ColumnKey: "ü"}}, slow)
	s.bring("kkeyed", []pilosa.Record{pilosa.Column{RowKey: "c", ColumnKey: "k4"}})
	s.bring("kint", []pilosa.Record{
		pilosa.FieldValue{ColumnKey: "k1", Value: -10}, pilosa.FieldValue{ColumnKey: "k3", Value: 10}}, pilosa.OptImportSort(false))
	// and taken away again
	s.bring("set", many[:990], pilosa.OptImportClear(true))
	s.bring("set", bits(10, 2), slow, pilosa.OptImportClear(true))
	s.bring("int", values[5:6], pilosa.OptImportClear(true))
	_, _, err = s.client.HttpRequest("POST", "/recalculate-caches", nil, nil)
	must(err)
}

func (s *session) queries() {
	f, ids, keys := s.f, s.ids, s.keys
	s.ask("row", f["set"].Row(1))
	s.ask("rows of a batch", ids.BatchQuery(f["set"].Row(0), f["set"].Row(9), f["set"].Row(10)))
	s.ask("keyed rows", ids.BatchQuery(f["keyed"].Row("red"), f["keyed"].Row("Größe"), f["keyed"].Row("never")))
	s.ask("union", ids.Union(f["set"].Row(9), f["lru"].Row(4)))
	s.ask("intersect", ids.Intersect(f["keyed"].Row("red"), f["lru"].Row(4)))
	s.ask("difference", ids.Difference(f["keyed"].Row("red"), f["lru"].Row(4)))
	s.ask("xor", ids.Xor(f["mutex"].Row(3), f["lru"].Row(5), f["bool"].Row(true)))
	s.ask("not", ids.Not(f["keyed"].Row("red")))
	s.ask("count", ids.Count(f["set"].Row(9)))
	s.ask("topn", ids.BatchQuery(f["keyed"].TopN(1), f["lru"].TopN(5), f["set"].RowTopN(1, f["lru"].Row(5))))
	s.ask("rows", ids.BatchQuery(f["set"].Rows(), f["set"].RowsPreviousLimit(2, 1), f["keyed"].Rows(), f["mutex"].RowsColumn(1)))
	s.ask("rows after a key", f["keyed"].RowsPrevious("red"))
	s.ask("comparisons", ids.BatchQuery(
		f["int"].LTE(-63), f["int"].GTE(1), f["int"].Equals(1000), f["int"].NotEquals(0), f["int"].NotNull(), f["int"].Between(-1, 1)))
	s.ask("< 0", f["int"].LT(0))
	s.ask("> -1", f["int"].GT(-1))
	s.ask("sum, min, max", ids.BatchQuery(f["int"].Sum(nil), f["int"].Min(nil), f["int"].Max(f["keyed"].Row("red"))))
	s.ask("sum of a row", f["int"].Sum(f["mutex"].Row(2)))
	s.ask("time", ids.BatchQuery(f["time"].Row(1), f["time"].RowRange(1, newYear, march), f["time"].Range(1, march, march.Add(time.Hour)),
		f["time"].Row(2), f["views"].Row(1), f["views"].RowRange(1, newYear.AddDate(0, 0, -1), march.AddDate(0, 0, 1))))
	s.ask("mutex and bool", ids.BatchQuery(f["mutex"].Row(1), f["mutex"].Row(3), f["bool"].Row(true), f["bool"].Row(false)))
	s.ask("group by", ids.GroupBy(f["mutex"].Rows(), f["lru"].Rows()))
	s.ask("group by, a filter and a limit", ids.GroupByLimitFilter(2, f["lru"].Row(4), f["keyed"].Rows()))
	s.ask("keyed columns", keys.BatchQuery(f["kset"].Row(1), f["kkeyed"].Row("a"), f["kint"].GTE(10), f["kint"].Sum(nil), f["kkeyed"].Rows()))
	s.ask("some shards", ids.Count(f["set"].Row(9)), pilosa.OptQueryShards(1, 5))
	for _, name := range []string{"set", "keyed"} {
		reader, err := s.client.ExportField(f[name])
		must(err)
		csv, err := ioutil.ReadAll(reader)
		must(err)
		s.said["export of "+name] = string(csv)
	}
}

func (s *session) writes() {
	f, ids, keys := s.f, s.ids, s.keys
	s.ask("set and clear", ids.BatchQuery(f["set"].Set(30, 7), f["set"].Set(30, 7), f["set"].Row(30), f["set"].Clear(30, 7), f["set"].Row(30)))
	s.ask("set keys", ids.BatchQuery(f["keyed"].Set("new", 70), f["keyed"].Row("new")))
	s.ask("set a keyed column", keys.BatchQuery(f["kkeyed"].Set("c", "k99"), f["kkeyed"].Row("c")))
	s.ask("set at a time", ids.BatchQuery(f["time"].SetTimestamp(5, 8, march), f["time"].RowRange(5, newYear, march.AddDate(0, 1, 0))))
	s.ask("set a value", ids.BatchQuery(f["int"].SetIntValue(0, 77), f["int"].Equals(77)))
	s.ask("a value too low", f["int"].SetIntValue(0, -1001))
	s.ask("store, clear a row", ids.BatchQuery(
		f["set"].Store(f["keyed"].Row("red"), 40), f["set"].Row(40), f["set"].ClearRow(40), f["set"].Row(40)))
	attributes := map[string]interface{}{"name": "one", "n": -1, "yes": true, "share": 0.25}
	s.ask("attributes", ids.BatchQuery(f["set"].SetRowAttrs(9, attributes), ids.SetColumnAttrs(shard, map[string]interface{}{"city": "Oslo"})))
	s.ask("attributes of a row", f["set"].Row(9), pilosa.OptQueryExcludeColumns(true))
	s.ask("attributes of columns", f["set"].Row(9), pilosa.OptQueryColumnAttrs(true), pilosa.OptQueryExcludeAttrs(true))
	s.ask("options", ids.Options(f["set"].Row(9), pilosa.OptOptionsExcludeColumns(true)))
	s.ask("topn by attribute", f["set"].FilterAttrTopN(5, nil, "name", "one", "two"))
}

func (s *session) end() {
	must(s.client.DeleteField(s.f["lru"]))
	there, err := s.client.Schema()
	must(err)
	left := []string{}
	for name := range there.Index("go-ids").Fields() {
		left = append(left, name)
	}
	sort.Strings(left)
	s.said["without a field"] = left
	must(s.client.DeleteIndex(s.ids))
	must(s.client.DeleteIndex(s.keys))
	there, err = s.client.Schema()
	must(err)
	s.said["without the indexes"] = []bool{there.HasIndex("go-ids"), there.HasIndex("go-keys")}
}

func newClient() *pilosa.Client {
	client, err := pilosa.NewClient(os.Args[1], pilosa.OptClientRetries(0))
	must(err)
	return client
}

func main() {
	s := &session{client: newClient(), said: map[string]interface{}{}}
	s.synchronise()
	s.imports()
	s.queries()
	s.writes()
	s.end()
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	must(out.Encode(s.said))
}
