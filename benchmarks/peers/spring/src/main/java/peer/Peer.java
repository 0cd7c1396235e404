package peer;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** A batch listener of spring-kafka: up to 2,000 records a call, JDBC batches in one transaction, and then the offsets. */
@SpringBootApplication
public class Peer {
    public static void main(String[] arguments) {
        SpringApplication.run(Peer.class, arguments);
    }
}

@JsonIgnoreProperties(ignoreUnknown = true)
record Customer(String id, String name, @JsonProperty("time_zone") String timeZone, String language) {}

@JsonIgnoreProperties(ignoreUnknown = true)
record Interaction(String channel, String queue) {}

@JsonIgnoreProperties(ignoreUnknown = true)
record Answer(
        int rating,
        String comment,
        @JsonProperty("answered_at") String answeredAt,
        Customer customer,
        Interaction interaction) {}

@JsonIgnoreProperties(ignoreUnknown = true)
record Event(String source, String id, Answer data) {}

@Component
class Listener {
    private static final String CUSTOMERS =
            "INSERT INTO customers (key, name, time_zone, language) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
                    + " name = excluded.name, time_zone = excluded.time_zone, language = excluded.language";
    private static final String ANSWERS =
            "INSERT INTO answers (event_source, event_id, customer_id, rating, comment, answered_at, channel, queue)"
                    + " SELECT ?, ?, id, ?, ?, ?, ?, ? FROM customers WHERE key = ? ON CONFLICT DO NOTHING";
    private static final String CALLBACKS =
            "INSERT INTO callbacks (customer_id, answer_id)"
                    + " SELECT customer_id, id FROM answers WHERE event_source = ? AND event_id = ? ON CONFLICT DO NOTHING";

    private final JdbcTemplate ledger;
    private final ObjectMapper json;

    Listener(JdbcTemplate ledger, ObjectMapper json) {
        this.ledger = ledger;
        this.json = json;
    }

    @KafkaListener(topics = "${TOPIC}")
    @Transactional
    public void take(List<byte[]> records) throws IOException {
        Map<String, Object[]> customers = new LinkedHashMap<>();
        List<Object[]> answers = new ArrayList<>();
        List<Object[]> bad = new ArrayList<>();
        for (byte[] value : records) {
            Event event = json.readValue(value, Event.class);
            Answer data = event.data();
            Customer said = data.customer();
            customers.put(said.id(), new Object[] {said.id(), said.name(), said.timeZone(), said.language()});
            answers.add(
                    new Object[] {
                        event.source(),
                        event.id(),
                        data.rating(),
                        data.comment(),
                        OffsetDateTime.parse(data.answeredAt()),
                        data.interaction().channel(),
                        data.interaction().queue(),
                        said.id()
                    });
            if (data.rating() <= 2) {
                bad.add(new Object[] {event.source(), event.id()});
            }
        }
        int text = Types.VARCHAR;
        ledger.batchUpdate(CUSTOMERS, new ArrayList<>(customers.values()), new int[] {text, text, text, text});
        ledger.batchUpdate(
                ANSWERS,
                answers,
                new int[] {text, text, Types.INTEGER, text, Types.TIMESTAMP_WITH_TIMEZONE, text, text, text});
        ledger.batchUpdate(CALLBACKS, bad, new int[] {text, text});
    }
}
