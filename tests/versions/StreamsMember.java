import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;

/** A member of a Streams group (KIP-1071) that reads a topic, writes it to a topic of its own, and reads that. */
class StreamsMember {
    public static void main(String[] arguments) throws Exception {
        var settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("application.id", arguments[1]);
        settings.put("client.id", "member");
        settings.put("group.protocol", "streams");
        settings.put("auto.offset.reset", "earliest");
        settings.put("commit.interval.ms", 200);
        settings.put("default.key.serde", Serdes.ByteArraySerde.class);
        settings.put("default.value.serde", Serdes.ByteArraySerde.class);
        var builder = new StreamsBuilder();
        builder.stream(arguments[2]).repartition().foreach((key, value) -> {});
        new KafkaStreams(builder.build(), settings).start();
        Thread.sleep(Long.MAX_VALUE);
    }
}
