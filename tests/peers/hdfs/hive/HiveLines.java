/* HiveLines - what Hive's own classes make of lines and of the names of directories. */
/* SPDX-License-Identifier: MPL-2.0 */
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hive.common.FileUtils;
import org.apache.hadoop.hive.serde2.AbstractSerDe;
import org.apache.hadoop.hive.serde2.objectinspector.ObjectInspectorUtils;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.util.LineReader;

class HiveLines {
	static final ObjectMapper json = new ObjectMapper(new JsonFactory().disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET));
	static final PrintStream stdout = System.out;

	public static void main(String[] args) throws Exception {
		System.setOut(System.err); /* where loggers write */
		switch (args[0]) {
		case "rows":
			for (int i = 4; i < args.length; i++) rows(args[i], args[1], args[2], Path.of(args[3]), Path.of("rows." + i));
			break;
		case "values": values(new Random(Long.parseLong(args[1])), Integer.parseInt(args[2])); break;
		case "names":
			for (int i = 1; i < args.length; i++) names(Path.of(args[i]));
			break;
		}
		stdout.flush();
	}

	/* rows COLUMNS TYPES FILE SERDE...: writes rows.4 for the first, rows.5, ...: a row a line, as JSON; {"error": why} where the SerDe refuses it. */
	static void rows(String serde, String columns, String types, Path file, Path result) throws Exception {
		Properties table = new Properties();
		table.setProperty("columns", columns);
		table.setProperty("columns.types", types);
		AbstractSerDe reader = (AbstractSerDe) Class.forName(serde).getDeclaredConstructor().newInstance();
		reader.initialize(new Configuration(false), table, new Properties());
		/* As TextInputFormat cuts lines. */
		try (var in = new LineReader(Files.newInputStream(file)); var out = new BufferedOutputStream(Files.newOutputStream(result))) {
			for (Text line = new Text(); in.readLine(line) > 0; ) {
				byte[] row;
				try {
					row = json.writeValueAsBytes(ObjectInspectorUtils.copyToStandardJavaObject(reader.deserialize(line), reader.getObjectInspector()));
				} catch (Exception e) {
					row = json.writeValueAsBytes(Map.of("error", e.toString()));
				}
				out.write(row);
				out.write('\n');
			}
		}
	}

	/* values SEED COUNT: envelopes whose types are all that a path may not be. */
	static void values(Random random, int count) throws IOException {
		String[] some = { "", "../../x", "..", "a/b", "%2e%2e", "/etc", "CON", "a=b", "?#&;+", "\n", "_x", ".x", "é", "日本", "😀", "__HIVE_DEFAULT_PARTITION__", "%", "%zz", "a b ", "~" };
		try (var out = new BufferedOutputStream(stdout)) {
			for (int i = 0; i < count; i++) {
				StringBuilder value = new StringBuilder(i < some.length ? some[i] : "");
				for (int left = i < some.length ? 0 : 1 + random.nextInt(24); left > 0; left--)
					value.appendCodePoint(random.nextInt(8) > 0 ? 1 + random.nextInt(127) : random.nextBoolean() ? 0xc0 + random.nextInt(0x400) : 0x1f300 + random.nextInt(0x200));
				/* What is more than 128 bytes in a name is cut, and an Arabic letter mark is hidden: neither is Hive's own. */
				String text = value.toString().replace('\u061c', 'x');
				if (FileUtils.escapePathName(text).getBytes("UTF-8").length > 128) continue;
				json.writeValue(out, Map.of("type", text));
				out.write('\n');
			}
		}
	}

	/* names BASE...: whether each directory below it is what Hive calls the partition of each of the lines in it, and whether Hive reads its name as their value. Prints how many did. */
	static void names(Path base) throws IOException {
		List<Path> files;
		int good = 0;
		try (Stream<Path> walk = Files.walk(base)) {
			files = walk.filter(Files::isRegularFile).collect(Collectors.toList());
		}
		for (Path file : files)
			for (String line : Files.readString(file).split("\n")) {
				JsonNode type = json.readTree(line).get("type");
				String name = base.relativize(file.getParent()).toString(), hive = FileUtils.makePartName(List.of("type"), List.of(type.textValue()));
				String read = FileUtils.unescapePathName(name.substring(name.indexOf('=') + 1));
				if (!name.equals(hive)) stdout.println("of " + type + ": " + name + " is " + hive + " for Hive");
				else if (!read.equals(type.textValue()) && !type.textValue().isEmpty()) stdout.println(name + " is read as " + read);
				else good++;
			}
		stdout.println(good);
	}
}
