/* MiniHdfs - Hadoop's mini cluster in one process: started as its options say, then told by one-line commands what should happen to it. */
/* SPDX-License-Identifier: MPL-2.0 */

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileChecksum;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.http.server.HttpFSServerWebServer;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.apache.hadoop.hdfs.server.blockmanagement.BlockManagerTestUtil;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.hdfs.server.namenode.NameNodeAdapter;
import org.apache.hadoop.hdfs.server.namenode.ha.HATestUtil;
import org.apache.hadoop.hdfs.web.AuthFilterInitializer;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.minikdc.MiniKdc;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.security.authorize.ProxyUsers;

/* usage: MiniHdfs DIR [--datanodes N] [--ha] [--https] [--httpfs] [--kerberos] [--conf NAME=VALUE]... [--watch PID]
 *
 * All it writes is in DIR; DIR/conf is on its class path. Once all is up, DIR/ready.json appears. With --watch it ends when that process does.
 * A command is one line to the control port, words separated by tabs. The answer: "ok" or "no: REASON", a newline, then what was asked for, to the end. */
public final class MiniHdfs {
	private final File dir, conf;
	private final Configuration configuration = new Configuration();
	private final Map<Integer, MiniDFSCluster.DataNodeProperties> stopped = new HashMap<>();
	private final List<Integer> datanodePorts = new ArrayList<>();
	private MiniDFSCluster cluster;
	private DistributedFileSystem files;
	private MiniKdc kdc;
	private int datanodes = 1, httpfsPort;
	private boolean ha, https, httpfs, kerberos;

	public static void main(String[] arguments) {
		try {
			MiniHdfs mini = new MiniHdfs(new File(arguments[0]).getAbsoluteFile());
			mini.readOptions(arguments);
			mini.start();
		} catch (Throwable all) {
			all.printStackTrace();
			Runtime.getRuntime().halt(1);
		}
	}

	private MiniHdfs(File dir) {
		this.dir = dir;
		conf = new File(dir, "conf");
	}

	private void readOptions(String[] arguments) {
		String user = System.getProperty("user.name");
		// Small and quick: blocks of 1 MiB, a heartbeat each second.
		configuration.setLong("dfs.blocksize", 1 << 20);
		configuration.setLong("dfs.namenode.fs-limits.min-block-size", 4096);
		configuration.setInt("dfs.heartbeat.interval", 1);
		configuration.setInt("dfs.client.block.write.locateFollowingBlock.initial.delay.ms", 20);
		configuration.setInt("dfs.datanode.handler.count", 4);
		configuration.setInt("dfs.namenode.handler.count", 4);
		configuration.set("hadoop.proxyuser." + user + ".hosts", "*");
		configuration.set("hadoop.proxyuser." + user + ".groups", "*");
		configuration.set("hadoop.tmp.dir", new File(dir, "tmp").getPath());
		configuration.set("io.compression.codecs", "org.apache.hadoop.io.compress.GzipCodec,io.airlift.compress.zstd.ZstdCodec");
		for (int i = 1; i < arguments.length; i++) {
			switch (arguments[i]) {
			case "--datanodes": datanodes = Integer.parseInt(arguments[++i]); break;
			case "--ha": ha = true; break;
			case "--https": https = true; break;
			case "--httpfs": httpfs = true; break;
			case "--kerberos": kerberos = true; break;
			case "--watch": watch(Long.parseLong(arguments[++i])); break;
			case "--conf":
				String[] pair = arguments[++i].split("=", 2);
				configuration.set(pair[0], pair[1]);
				break;
			default: throw new IllegalArgumentException(arguments[i]);
			}
		}
	}

	/* A suite that was killed leaves no server behind. */
	private static void watch(long pid) {
		ProcessHandle.of(pid).orElseThrow().onExit().thenRun(() -> Runtime.getRuntime().halt(3));
	}

	private void start() throws Exception {
		if (https) encrypt();
		if (kerberos) secure();
		System.setProperty("test.build.data", dir.getPath());
		cluster = new MiniDFSCluster.Builder(configuration, new File(dir, "dfs"))
			.numDataNodes(datanodes)
			.nnTopology(ha ? MiniDFSNNTopology.simpleHATopology() : MiniDFSNNTopology.simpleSingleNN(0, 0))
			.build();
		if (ha) {
			cluster.transitionToActive(0);
			files = HATestUtil.configureFailoverFs(cluster, configuration);
		} else {
			files = cluster.getFileSystem();
		}
		cluster.waitActive();
		for (DataNode one : cluster.getDataNodes()) datanodePorts.add(one.getInfoPort());
		writeConfiguration(files.getConf(), "core-site.xml");
		if (httpfs) startHttpfs();
		ServerSocket control = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		File ready = new File(dir, "ready.json");
		Files.writeString(new File(dir, "ready.tmp").toPath(), describe(control.getLocalPort()));
		Files.move(new File(dir, "ready.tmp").toPath(), ready.toPath(), StandardCopyOption.ATOMIC_MOVE);
		for (;;) {
			Socket client = control.accept();
			new Thread(() -> serve(client)).start();
		}
	}

	private void writeConfiguration(Configuration what, String name) throws IOException {
		conf.mkdirs();
		try (OutputStream out = Files.newOutputStream(new File(conf, name).toPath())) { what.writeXml(out); }
	}

	private String describe(int control) {
		StringBuilder text = new StringBuilder("{\"control\":" + control + ",\"pid\":" + ProcessHandle.current().pid());
		text.append(",\"fs\":\"" + files.getUri() + "\",\"namenodes\":[");
		for (int i = 0; i < cluster.getNumNameNodes(); i++) {
			InetSocketAddress http = cluster.getNameNode(i).getHttpAddress(), tls = cluster.getNameNode(i).getHttpsAddress();
			text.append((i > 0 ? "," : "") + "{\"http\":" + (http == null ? 0 : http.getPort()) + ",\"https\":" + (tls == null ? 0 : tls.getPort()) + "}");
		}
		text.append("],\"httpfs\":" + httpfsPort);
		if (kerberos) text.append(",\"realm\":\"" + kdc.getRealm() + "\"");
		return text.append("}\n").toString();
	}

	/* DIR/conf/keystore.p12 (its password is "changeit") is made by who starts us; keytool does it in a process of its own. */
	private void encrypt() throws IOException {
		Configuration server = new Configuration(false), client = new Configuration(false);
		for (String one : new String[] {"server", "client"}) {
			Configuration its = one.equals("server") ? server : client;
			for (String store : new String[] {"keystore", "truststore"}) {
				its.set("ssl." + one + "." + store + ".location", new File(conf, "keystore.p12").getPath());
				its.set("ssl." + one + "." + store + ".password", "changeit");
				its.set("ssl." + one + "." + store + ".type", "pkcs12");
			}
			its.set("ssl." + one + ".keystore.keypassword", "changeit");
			writeConfiguration(its, "ssl-" + one + ".xml");
		}
		configuration.set("dfs.http.policy", "HTTP_AND_HTTPS");
		configuration.set("dfs.namenode.https-address", "localhost:0");
		configuration.set("dfs.datanode.https.address", "localhost:0");
	}

	/* A KDC with principals for the servers (DIR/server.keytab) and for a user named metlog (DIR/metlog.keytab); DIR/krb5.conf is the clients'. */
	private void secure() throws Exception {
		Properties properties = MiniKdc.createConf();
		properties.setProperty(MiniKdc.DEBUG, "false");
		kdc = new MiniKdc(properties, new File(dir, "kdc"));
		kdc.start();
		Files.copy(kdc.getKrb5conf().toPath(), new File(dir, "krb5.conf").toPath());
		File keytab = new File(dir, "server.keytab");
		String user = System.getProperty("user.name"), at = "@" + kdc.getRealm();
		kdc.createPrincipal(keytab, user + "/localhost", "HTTP/localhost");
		kdc.createPrincipal(new File(dir, "metlog.keytab"), "metlog");
		for (String role : new String[] {"namenode", "datanode"}) {
			configuration.set("dfs." + role + ".kerberos.principal", user + "/localhost" + at);
			configuration.set("dfs." + role + ".keytab.file", keytab.getPath());
		}
		for (String prefix : new String[] {"dfs.web.authentication.", "hadoop.http.authentication."}) {
			configuration.set(prefix + "type", "kerberos");
			configuration.set(prefix + "kerberos.principal", "HTTP/localhost" + at);
			configuration.set(prefix + "kerberos.keytab", keytab.getPath());
		}
		configuration.set("hadoop.security.authentication", "kerberos");
		configuration.set("hadoop.http.filter.initializers", AuthFilterInitializer.class.getName());
		configuration.setBoolean("dfs.block.access.token.enable", true);
		configuration.setBoolean("ignore.secure.ports.for.testing", true);
		UserGroupInformation.setConfiguration(configuration);
		UserGroupInformation.loginUserFromKeytab(user + "/localhost" + at, keytab.getPath());
	}

	private void startHttpfs() throws Exception {
		File home = new File(dir, "httpfs");
		for (String one : new String[] {"", "conf", "log", "temp"}) new File(home, one).mkdirs();
		Files.writeString(new File(home, "conf/httpfs-signature.secret").toPath(), "a secret of the tests");
		System.setProperty("httpfs.home.dir", home.getPath());
		System.setProperty("httpfs.config.dir", new File(home, "conf").getPath());
		System.setProperty("httpfs.log.dir", new File(home, "log").getPath());
		System.setProperty("httpfs.temp.dir", new File(home, "temp").getPath());
		Files.copy(new File(conf, "log4j.properties").toPath(), new File(home, "conf/httpfs-log4j.properties").toPath());
		Configuration site = new Configuration(false);
		site.set("httpfs.hadoop.config.dir", conf.getPath());
		if (kerberos) {
			site.set("hadoop.http.authentication.type", "kerberos");
			site.set("httpfs.hadoop.authentication.type", "kerberos");
			site.set("hadoop.http.authentication.kerberos.principal", configuration.get("dfs.web.authentication.kerberos.principal"));
			site.set("hadoop.http.authentication.kerberos.keytab", configuration.get("dfs.web.authentication.kerberos.keytab"));
			site.set("httpfs.hadoop.authentication.kerberos.principal", configuration.get("dfs.namenode.kerberos.principal"));
			site.set("httpfs.hadoop.authentication.kerberos.keytab", configuration.get("dfs.namenode.keytab.file"));
		}
		try (OutputStream out = Files.newOutputStream(new File(home, "conf/httpfs-site.xml").toPath())) { site.writeXml(out); }
		Configuration web = new Configuration(true);
		web.addResource("httpfs-default.xml");
		web.set("httpfs.http.hostname", "localhost");
		web.setInt("httpfs.http.port", 0);
		Constructor<HttpFSServerWebServer> make = HttpFSServerWebServer.class.getDeclaredConstructor(Configuration.class, Configuration.class);
		make.setAccessible(true);
		HttpFSServerWebServer server = make.newInstance(web, new Configuration(false));
		server.start();
		httpfsPort = server.getUrl().getPort();
		// Who may speak for others is kept once a process, and HttpFS has just put its own in the namenode's place.
		ProxyUsers.refreshSuperUserGroupsConfiguration(configuration);
	}

	private void serve(Socket client) {
		try (client) {
			BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
			OutputStream out = client.getOutputStream();
			String line = in.readLine();
			if (line == null) return;
			try {
				obey(line.split("\t"), out);
			} catch (Exception all) {
				out.write(("no: " + all + "\n").getBytes(StandardCharsets.UTF_8));
			}
		} catch (IOException gone) {
			// Who asked does not listen any more.
		}
	}

	private void obey(String[] words, OutputStream out) throws Exception {
		switch (words[0]) {
		case "cat": case "count": case "raw": case "ls": case "stat": case "checksum": case "token": case "datanodes":
			// Nothing is said before the first byte can be had.
			look(words, out);
			break;
		case "exit":
			say(out, "ok\n");
			out.flush();
			Runtime.getRuntime().halt(0);
			break;
		default:
			synchronized (this) { change(words); }
			say(out, "ok\n");
		}
	}

	private static void say(OutputStream out, String text) throws IOException {
		out.write(text.getBytes(StandardCharsets.UTF_8));
	}

	private void change(String[] words) throws Exception {
		switch (words[0]) {
		case "active": cluster.transitionToActive(Integer.parseInt(words[1])); break;
		case "standby": cluster.transitionToStandby(Integer.parseInt(words[1])); break;
		case "stop-namenode": cluster.shutdownNameNode(Integer.parseInt(words[1])); break;
		case "start-namenode": cluster.restartNameNode(Integer.parseInt(words[1]), false); break;
		case "stop-datanode": stopDatanode(Integer.parseInt(words[1]), words.length > 2); break;
		case "start-datanode": startDatanode(Integer.parseInt(words[1])); break;
		case "safemode":
			for (int i = 0; i < cluster.getNumNameNodes(); i++) {
				if (words[1].equals("on")) NameNodeAdapter.enterSafeMode(cluster.getNameNode(i), false);
				else NameNodeAdapter.leaveSafeMode(cluster.getNameNode(i));
			}
			break;
		case "quota": // quota PATH NAMES BYTES: -1 takes one away
			files.setQuota(path(words[1]), quota(words[2]), quota(words[3]));
			break;
		case "mkdir": // mkdir PATH [OCTAL [OWNER]]
			files.mkdirs(path(words[1]));
			if (words.length > 2) files.setPermission(path(words[1]), new FsPermission(words[2]));
			if (words.length > 3) files.setOwner(path(words[1]), words[3], null);
			break;
		case "put": files.copyFromLocalFile(false, true, new Path("file", null, words[1]), path(words[2])); break;
		case "get": files.copyToLocalFile(false, path(words[1]), new Path("file", null, words[2]), true); break;
		case "rm": files.delete(path(words[1]), true); break;
		case "mv":
			if (!files.rename(path(words[1]), path(words[2]))) throw new IOException("rename said false");
			break;
		default: throw new IllegalArgumentException(words[0]);
		}
	}

	/* Names may hold colons and percents: no URI is parsed. */
	private static Path path(String name) { return new Path(null, null, name); }

	private static long quota(String text) {
		long number = Long.parseLong(text);
		return number < 0 ? HdfsConstants.QUOTA_RESET : number;
	}

	/* Without `dead` the namenode goes on to believe in it until its heartbeats have been missing for long. */
	private void stopDatanode(int index, boolean dead) throws Exception {
		int port = datanodePorts.get(index);
		for (DataNode one : new ArrayList<>(cluster.getDataNodes())) {
			if (one.getInfoPort() != port) continue;
			String name = one.getDatanodeId().getXferAddr();
			stopped.put(index, cluster.stopDataNode(cluster.getDataNodes().indexOf(one)));
			for (int i = 0; dead && i < cluster.getNumNameNodes(); i++) BlockManagerTestUtil.noticeDeadDatanode(cluster.getNameNode(i), name);
			return;
		}
		throw new IOException("datanode " + index + " does not run");
	}

	private void startDatanode(int index) throws Exception {
		cluster.restartDataNode(stopped.remove(index), false);
		cluster.waitActive();
		datanodePorts.set(index, cluster.getDataNodes().get(cluster.getDataNodes().size() - 1).getInfoPort());
		for (int i = 0; i < cluster.getNumNameNodes(); i++) {
			NameNode one = cluster.getNameNode(i);
			while (one.getNamesystem().getNumLiveDataNodes() < cluster.getDataNodes().size()) Thread.sleep(20);
		}
	}

	private void look(String[] words, OutputStream out) throws Exception {
		if (words[0].equals("token")) { // token RENEWER: of the server's own user
			say(out, "ok\n" + files.getDelegationToken(words[1]).encodeToUrlString() + "\n");
			return;
		}
		if (words[0].equals("datanodes")) {
			StringBuilder ports = new StringBuilder();
			for (int one : datanodePorts) ports.append("127.0.0.1:" + one + "\n");
			say(out, "ok\n" + ports);
			return;
		}
		Path where = path(words[1]);
		FileStatus status = files.getFileStatus(where);
		switch (words[0]) {
		case "ls": // every file below it, hidden ones too: BYTES, tab, PATH
			StringBuilder list = new StringBuilder();
			for (FileStatus one : below(status, true)) list.append(one.getLen() + "\t" + one.getPath().toUri().getPath() + "\n");
			say(out, "ok\n" + list);
			break;
		case "stat":
			StringBuilder lines = new StringBuilder();
			for (FileStatus one : below(status, true)) lines.append(describe(one));
			say(out, "ok\n" + lines);
			break;
		case "checksum":
			FileChecksum sum = files.getFileChecksum(where);
			say(out, "ok\n" + sum + "\n");
			break;
		case "raw":
			try (InputStream in = files.open(where)) {
				say(out, "ok\n");
				in.transferTo(out);
			}
			break;
		case "count":
			CountingStream counter = new CountingStream();
			read(status, counter);
			say(out, "ok\n" + counter.lines + "\n");
			break;
		default:
			// All of it, or the reason why not: an answer that has begun cannot become a refusal.
			ByteArrayOutputStream all = new ByteArrayOutputStream();
			read(status, all);
			say(out, "ok\n");
			all.writeTo(out);
		}
	}

	private String describe(FileStatus one) throws IOException {
		return "{\"path\":\"" + one.getPath().toUri().getPath().replaceAll("[\\\\\"]", "\\\\$0") + "\",\"length\":" + one.getLen()
			+ ",\"replication\":" + one.getReplication() + ",\"blockSize\":" + one.getBlockSize()
			+ ",\"blocks\":" + files.getFileBlockLocations(one, 0, one.getLen()).length
			+ ",\"permission\":\"" + Integer.toOctalString(one.getPermission().toShort())
			+ "\",\"owner\":\"" + one.getOwner() + "\",\"modified\":" + one.getModificationTime() + "}\n";
	}

	/* As map-reduce and Hive see it: the codec that the name's ending asks for, files in the order of their names, hidden ones (and directories) are not there. */
	private void read(FileStatus where, OutputStream out) throws IOException {
		CompressionCodecFactory codecs = new CompressionCodecFactory(configuration);
		for (FileStatus one : below(where, false)) {
			CompressionCodec codec = codecs.getCodec(one.getPath());
			try (InputStream in = files.open(one.getPath()); InputStream plain = codec == null ? in : codec.createInputStream(in)) {
				plain.transferTo(out);
			}
		}
	}

	private List<FileStatus> below(FileStatus where, boolean hidden) throws IOException {
		List<FileStatus> found = new ArrayList<>();
		if (where.isFile()) {
			found.add(where);
			return found;
		}
		try {
			for (FileStatus one : files.listStatus(where.getPath())) {
				char first = one.getPath().getName().charAt(0);
				if (hidden || (first != '.' && first != '_')) found.addAll(below(one, hidden));
			}
		} catch (FileNotFoundException gone) {
			// It was renamed while we looked.
		}
		return found;
	}

	private static final class CountingStream extends OutputStream {
		long lines;

		@Override public void write(int one) { if (one == '\n') lines++; }

		@Override public void write(byte[] bytes, int from, int count) {
			for (int i = from; i < from + count; i++) if (bytes[i] == '\n') lines++;
		}
	}
}
